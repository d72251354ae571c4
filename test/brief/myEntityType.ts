export interface MyEntityType {
  id: string
  label: string
}
