import { fileURLToPath } from 'node:url'
import vue from '@vitejs/plugin-vue'
import { defineConfig } from 'vite'
import { doorAliases } from '../scripts/doors.mjs'

export default defineConfig({
  root: fileURLToPath(new URL('app', import.meta.url)),
  plugins: [vue()],
  resolve: { alias: doorAliases },
  build: { outDir: fileURLToPath(new URL('dist', import.meta.url)), emptyOutDir: true },
  server: { host: '127.0.0.1', proxy: { '/api': 'http://127.0.0.1:4174' } },
})
