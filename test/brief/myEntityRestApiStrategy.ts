import type { PersistableEntity, PersistenceStrategy, PersistReceipt } from 'rx-outbox'
import { createMyEntity, deleteMyEntity, updateMyEntity } from './myEntityApi.ts'
import type { MyEntityType } from './myEntityType.ts'

export class MyEntityRestApiStrategy implements PersistenceStrategy<MyEntityType> {
  async persistCreate(entity: PersistableEntity<MyEntityType>): Promise<PersistReceipt<MyEntityType>> {
    const { _id } = await createMyEntity(entity.data)
    return { backendId: _id }
  }
  async persistUpdate(entity: PersistableEntity<MyEntityType>): Promise<PersistReceipt<MyEntityType>> {
    await updateMyEntity(entity.data)
    return {}
  }
  async persistDelete(id: string, _entityType: string): Promise<void> {
    await deleteMyEntity(id)
  }
}
