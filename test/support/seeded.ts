import * as fc from 'fast-check'

// A red `npm test` says something about the change, and not about luck: its histories are the same each time. `npm run prove`
// draws others.
fc.configureGlobal({ seed: Number(process.env['PROPERTY_SEED'] ?? 1) })
