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
  const errors: unknown[] = []
  const app = createApp(
    defineComponent(() => {
      // Caught here already: Vue would go on to warn of a component that renders nothing.
      try {
        const returned = setup()
        root = { returned }
        return () => render(returned)
      } catch (error) {
        errors.push(error)
        return () => null
      }
    }),
  )
  // Thrown from the handler itself, an error would leave Vue believing that a component is still being set up.
  app.config.errorHandler = (error) => errors.push(error)
  // After an error Vue warns of a component that renders nothing; the error says it all.
  app.config.warnHandler = (message) => {
    if (errors.length === 0) console.warn(message)
  }
  prepare(app)
  const place = document.createElement('div')
  app.mount(place)
  if (!root || errors.length > 0) {
    app.unmount()
    throw errors[0]
  }
  return { app, returned: root.returned, text: () => place.textContent }
}
