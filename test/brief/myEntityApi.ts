import type { MyEntityType } from './myEntityType.ts'

const url = '/api/my-entities'

export async function createMyEntity(entity: MyEntityType): Promise<{ _id: string }> {
  return (await call(url, 'POST', entity)).json()
}

export async function updateMyEntity(entity: MyEntityType): Promise<void> {
  await call(`${url}/${entity.id}`, 'PUT', entity)
}

export async function deleteMyEntity(id: string): Promise<void> {
  await call(`${url}/${id}`, 'DELETE')
}

async function call(path: string, method: string, entity?: MyEntityType): Promise<Response> {
  const response = await fetch(path, { method, ...(entity && { body: JSON.stringify(entity) }) })
  if (!response.ok) throw new Error(`${method} ${path} was answered with ${response.status}`)
  return response
}
