/** What keeps tasks from going, for all tabs of one (name, owner). */
export interface Gates {
  readonly paused: boolean
  /** Entity types that wait for `authorized()`. */
  readonly unauthorized: ReadonlySet<string>
  setPaused: (paused: boolean) => void
  /** 401: the type waits. */
  close: (entityType: string) => void
  /** It is delivered again. */
  open: (entityType: string) => void
  /** The gates stand as another tab says. */
  follow: (leader: { paused: boolean; unauthorized: readonly string[] }) => void
}

export interface GatesConfig {
  paused: boolean
  changed: () => void
  authRequired: (entityType: string) => void
}

export function createGates({ changed, authRequired, ...initial }: GatesConfig): Gates {
  const unauthorized = new Set<string>()
  let { paused } = initial

  function close(entityType: string): void {
    if (unauthorized.has(entityType)) return
    unauthorized.add(entityType)
    authRequired(entityType)
    changed()
  }

  function open(entityType: string): void {
    if (unauthorized.delete(entityType)) changed()
  }

  function setPaused(value: boolean): void {
    if (paused === value) return
    paused = value
    changed()
  }

  return {
    get paused() {
      return paused
    },
    unauthorized,
    setPaused,
    close,
    open,
    follow(leader) {
      setPaused(leader.paused)
      for (const type of leader.unauthorized) close(type)
      for (const type of unauthorized) if (!leader.unauthorized.includes(type)) open(type)
    },
  }
}
