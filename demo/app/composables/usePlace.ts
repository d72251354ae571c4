import { onScopeDispose, readonly, shallowRef } from 'vue'

/** What is open. It lives in the address, so that reload, links and the back button work. */
export type Place = { view: 'list' | 'new' | 'board' | 'outbox' } | { view: 'note'; id: string }

export function placeOf(hash: string): Place {
  const [, view, id] = /^#\/?([a-z]*)\/?(.*)$/.exec(hash) ?? []
  if (view === 'new' || view === 'board' || view === 'outbox') return { view }
  if (view === 'note' && id) return { view, id: decodeURIComponent(id) }
  return { view: 'list' }
}

export function hashOf(place: Place): string {
  return place.view === 'note'
    ? `#/note/${encodeURIComponent(place.id)}`
    : place.view === 'list'
      ? '#/'
      : `#/${place.view}`
}

export function usePlace() {
  const place = shallowRef(placeOf(location.hash))
  const read = () => (place.value = placeOf(location.hash))
  window.addEventListener('hashchange', read)
  onScopeDispose(() => window.removeEventListener('hashchange', read))

  function go(next: Place, how: 'push' | 'replace' = 'push') {
    if (hashOf(next) === hashOf(place.value)) return
    if (how === 'replace') history.replaceState(null, '', hashOf(next))
    else history.pushState(null, '', hashOf(next))
    read()
  }
  return { place: readonly(place), go }
}
