export interface Note {
  id: string
  title: string
}

interface Transaction {
  put: (note: Note) => Promise<void>
  delete: (id: string) => Promise<void>
}

export declare const notesDb: { transaction: (work: (tx: Transaction) => Promise<void>) => Promise<void> }
