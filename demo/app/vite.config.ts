import { fileURLToPath } from 'node:url'
import vue from '@vitejs/plugin-vue'
import { defineConfig } from 'vite'
import { doorAliases } from '../../scripts/doors.mjs'

export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  plugins: [vue()],
  resolve: { alias: doorAliases },
  build: { outDir: '../dist', emptyOutDir: true, target: 'es2022' },
  server: {
    host: '127.0.0.1',
    // Where `npm start` listens, unless told otherwise: for working on the demo with hot reload.
    proxy: { '/api': process.env['DEMO_SERVER'] ?? 'http://127.0.0.1:5180' },
  },
})
