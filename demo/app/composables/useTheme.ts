import { computed, onScopeDispose, ref, watchEffect } from 'vue'
import { useMedia } from './useMedia.ts'

type Theme = 'light' | 'dark'
const remembered = 'demo-theme'

/** The system's theme, unless the toggle says otherwise. */
export function useTheme() {
  const chosen = ref<Theme | undefined>(themeIn(localStorage.getItem(remembered)))
  const systemIsDark = useMedia('(prefers-color-scheme: dark)')
  const theme = computed<Theme>(() => chosen.value ?? (systemIsDark.value ? 'dark' : 'light'))

  watchEffect(() => {
    if (chosen.value) document.documentElement.dataset['theme'] = chosen.value
    else delete document.documentElement.dataset['theme']
  })

  // Chosen in another tab, or on the other of two devices side by side.
  const follow = ({ key, newValue }: StorageEvent) => {
    if (key === remembered) chosen.value = themeIn(newValue)
  }
  window.addEventListener('storage', follow)
  onScopeDispose(() => window.removeEventListener('storage', follow))

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

const themeIn = (text: string | null): Theme | undefined => (text === 'light' || text === 'dark' ? text : undefined)
