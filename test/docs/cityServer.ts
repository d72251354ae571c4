import type { StrategyRemote } from 'rx-outbox/testing'

export interface City {
  id: string
  name: string
}

export declare class CityServer implements StrategyRemote<City> {
  connect: StrategyRemote<City>['connect']
  rows: StrategyRemote<City>['rows']
}
