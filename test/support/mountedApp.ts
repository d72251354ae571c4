import { createApp, defineComponent, type App, type VNodeChild } from 'vue'

/** An app on the page, in a div of its own. */
export interface MountedApp<T> {
  app: App
  /** What the root's setup returned. */
  returned: T
  /** What the page shows. */
  text: () => string
}

/** Mounts an app whose root runs `setup`; what setup throws is thrown here. */
export function mountedApp<T>(
  setup: () => T,
  {
    render = () => null,
    prepare = () => {},
  }: { render?: (returned: T) => VNodeChild; prepare?: (app: App) => void } = {},
): MountedApp<T> {
  let root: { returned: T } | undefined
  const app = createApp(
    defineComponent(() => {
      const returned = setup()
      root = { returned }
      return () => render(returned)
    }),
  )
  app.config.errorHandler = (error) => {
    throw error
  }
  prepare(app)
  const place = document.createElement('div')
  app.mount(place)
  if (!root) throw new Error('The root was not set up')
  return { app, returned: root.returned, text: () => place.textContent }
}
