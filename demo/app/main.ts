import { createPinia } from 'pinia'
import { createApp } from 'vue'
import './style.css'

const isPair = new URLSearchParams(location.search).has('devices')
const { default: root } = await (isPair ? import('./TwoDevices.vue') : import('./App.vue'))

createApp(root).use(createPinia()).mount('#app')
