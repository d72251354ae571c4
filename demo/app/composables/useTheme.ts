import { computed, ref, watchEffect } from 'vue'
import { useMedia } from './useMedia.ts'

type Theme = 'light' | 'dark'
const remembered = 'demo-theme'

/** The system's theme, unless the toggle says otherwise. */
export function useTheme() {
  const stored = localStorage.getItem(remembered)
  const chosen = ref<Theme | undefined>(stored === 'light' || stored === 'dark' ? stored : undefined)
  const systemIsDark = useMedia('(prefers-color-scheme: dark)')
  const theme = computed<Theme>(() => chosen.value ?? (systemIsDark.value ? 'dark' : 'light'))

  watchEffect(() => {
    if (chosen.value) document.documentElement.dataset['theme'] = chosen.value
    else delete document.documentElement.dataset['theme']
  })

  function toggle() {
    const next: Theme = theme.value === 'dark' ? 'light' : 'dark'
    // What the system says anyway need not be remembered.
    const isSystem = (next === 'dark') === systemIsDark.value
    chosen.value = isSystem ? undefined : next
    if (isSystem) localStorage.removeItem(remembered)
    else localStorage.setItem(remembered, next)
  }
  return { theme, toggle }
}
