import type { Comparison } from './compare.ts'
import type { Outcome, Sample } from './outcome.ts'

interface Panel {
  readonly title: string
  readonly value: (sample: Sample) => number
}

const PANELS: readonly Panel[] = [
  { title: 'workers', value: ({ tasks }) => tasks.worker },
  { title: 'webhook handlers', value: ({ tasks }) => tasks.webhook },
  { title: 'jobs that wait', value: ({ waitingJobs }) => waitingJobs },
  { title: 'oldest waiting job, minutes', value: ({ oldestSeconds }) => oldestSeconds / 60 },
]

const PANEL = { width: 300, height: 130, left: 48, top: 34, gap: 24 }
const HEAD = 46
const MINUTES_BEFORE = 10
const MINUTES_AFTER = 120
/** Told apart by their dashes too, for whoever does not see the colours. */
const STYLES = [
  'stroke="#c2410c"',
  'stroke="#6b7280" stroke-dasharray="5 3"',
  'stroke="#1d4ed8" stroke-width="2"',
] as const

/** A picture of all comparisons: a row for each trace, a column for each of what is shown. */
export function svgChart(comparisons: readonly Comparison[]): string {
  const width = PANELS.length * (PANEL.left + PANEL.width + PANEL.gap)
  const height = HEAD + comparisons.length * (PANEL.top + PANEL.height + PANEL.gap + 18)
  const legend = comparisons[0] ? shownOf(comparisons[0]).map(({ policy }, i) => legendEntry(policy, i)) : []
  const rows = comparisons.flatMap((comparison, row) => rowOf(comparison, row))
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="11" fill="none" stroke-width="1.5">`,
    '<title>Tasks and backlog over time, by policy</title>',
    `<rect width="${width}" height="${height}" fill="white"/>`,
    ...legend,
    ...rows,
    '</svg>\n',
  ].join('\n')
}

function shownOf({ ours, documents }: Comparison): Outcome[] {
  return [documents.steps, documents.tracking, ours]
}

function legendEntry(policy: string, i: number): string {
  const x = PANEL.left + i * 200
  return `<path ${STYLES[i]} d="M${x} 20h30"/>${text(x + 36, 24, policy)}`
}

function rowOf(comparison: Comparison, row: number): string[] {
  const y = HEAD + row * (PANEL.top + PANEL.height + PANEL.gap + 18)
  const heading = text(
    PANEL.left,
    y + 10,
    `${comparison.trace.name}: ${comparison.trace.what}`,
    'font-weight="bold"',
  )
  return [heading, ...PANELS.map((panel, column) => panelOf(comparison, panel, column, y + PANEL.top))]
}

function panelOf(comparison: Comparison, { title, value }: Panel, column: number, y: number): string {
  const x = PANEL.left + column * (PANEL.left + PANEL.width + PANEL.gap)
  const begin = comparison.trace.burst.fromSecond / 60
  const lines = shownOf(comparison).map(({ samples }) =>
    samples
      .map((sample) => ({ minute: sample.minute - begin, value: value(sample) }))
      .filter(({ minute }) => minute >= -MINUTES_BEFORE && minute <= MINUTES_AFTER),
  )
  const top = Math.max(1, ...lines.flat().map((point) => point.value))
  const across = (minute: number) =>
    x + ((minute + MINUTES_BEFORE) / (MINUTES_BEFORE + MINUTES_AFTER)) * PANEL.width
  const up = (height: number) => y + PANEL.height - (height / top) * PANEL.height
  const paths = lines.map((points, i) => {
    const at = points.map((point) => `${across(point.minute).toFixed(1)} ${up(point.value).toFixed(1)}`)
    return at.length > 0 ? `<path ${STYLES[i]} d="M${at.join('L')}"/>` : ''
  })
  const burst = {
    from: across(0),
    to: across((comparison.trace.burst.toSecond - comparison.trace.burst.fromSecond) / 60),
  }
  return [
    `<rect x="${burst.from.toFixed(1)}" y="${y}" width="${(burst.to - burst.from).toFixed(1)}" height="${PANEL.height}" fill="#f3f4f6"/>`,
    `<path stroke="#9ca3af" stroke-width="1" d="M${x} ${y}v${PANEL.height}h${PANEL.width}"/>`,
    text(x, y - 6, title),
    text(x - 6, y + 10, String(Math.round(top)), 'text-anchor="end"'),
    text(x - 6, y + PANEL.height, '0', 'text-anchor="end"'),
    ...[0, 60, 120].map((minute) =>
      text(across(minute), y + PANEL.height + 13, `${minute} min`, 'text-anchor="middle"'),
    ),
    ...paths,
  ].join('\n')
}

/** Names and titles are our own words, but a quotation mark among them would do no harm either. */
function text(x: number, y: number, words: string, attributes = ''): string {
  const safe = words.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" fill="#111827" ${attributes}>${safe}</text>`
}
