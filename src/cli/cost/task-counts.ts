import type { ComponentType } from '../../components.ts'

/** So many tasks of each component; fractions where it is an average. */
export type TaskCounts = Readonly<Record<ComponentType, number>>

/** Something for each component. */
export function perComponent<T>(make: (type: ComponentType) => T): Record<ComponentType, T> {
  return { webhook: make('webhook'), api: make('api'), worker: make('worker') }
}
