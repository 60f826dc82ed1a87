import type { Held } from './hold.ts'

/** What happened at the load while something was done. */
export interface Scene {
  what: string
  seconds: number
  /** Of both kinds together. */
  requests: number
  failed: number
  /** Milliseconds, of webhooks and of reads. */
  webhookP99: number
  readP99: number
  says: string
}

/** All that a run has measured. */
export interface Figures {
  scenes: Scene[]
  held: Held[]
  /** What the last line says. */
  counts: Record<string, number>
}

/** The run as Markdown: what docs/containers.md has between its markers. */
export function tell({ scenes, held, counts }: Figures): string {
  return [
    markdown(
      ['', 'seconds', 'requests', 'failed', 'webhooks p99', 'reads p99', ''],
      scenes.map(({ what, seconds, requests, failed, webhookP99, readP99, says }) => [
        what,
        show(seconds),
        show(requests),
        show(failed),
        `${show(webhookP99)} ms`,
        `${show(readP99)} ms`,
        says,
      ]),
    ),
    '',
    markdown(
      ['webhooks a second, to one handler', 'held', 'p99', 'refused', 'processors', 'memory'],
      held.map(({ perSecond, holds, p99, refused, cores, memoryMb }) => [
        show(perSecond),
        holds ? 'yes' : 'no',
        `${show(p99)} ms`,
        show(refused),
        Number.isNaN(cores) ? '' : cores.toFixed(3),
        `${show(memoryMb)} MB`,
      ]),
    ),
    '',
    markdown(
      ['all in all', ''],
      Object.entries(counts).map(([name, count]) => [name.replaceAll('_', ' '), show(count)]),
    ),
  ].join('\n')
}

function markdown(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map((_, at) => (at === 0 ? '---' : '--:'))), ...rows.map(line)].join('\n')
}

function show(value: number): string {
  return Number.isFinite(value) ? Math.round(value).toLocaleString('en-US') : '–'
}
