import pg from 'pg'
import type { DatabasePool } from '../../src/store/database.ts'

/** One place where a statement reads a table, as `explain analyze` tells it. */
export interface Scan {
  /** `Seq Scan`, `Index Scan`, … */
  how: string
  table: string
  /** Undefined where none is used. */
  index: string | undefined
  /** Rows that it read: those that it handed on, and those that it threw away. */
  rows: number
}

interface PlanNode {
  'Node Type': string
  'Relation Name'?: string
  'Index Name'?: string
  'Actual Rows': number
  'Actual Loops': number
  'Rows Removed by Filter'?: number
  'Rows Removed by Index Recheck'?: number
  Plans?: PlanNode[]
}

/** Settings of a session that tells its plans, in messages to its client. */
const TELLING = [
  'session_preload_libraries=auto_explain',
  'auto_explain.log_level=notice',
  'auto_explain.log_format=json',
  'auto_explain.log_analyze=on',
  'auto_explain.log_timing=off',
  'auto_explain.log_nested_statements=on',
  'auto_explain.log_min_duration=0',
]
  .map((setting) => `-c ${setting}`)
  .join(' ')

/**
 * Runs something on connections that tell how PostgreSQL executes each of their statements, those of foreign keys
 * included.
 */
export async function scansOf(url: string, work: (db: DatabasePool) => Promise<unknown>): Promise<Scan[]> {
  const plans: PlanNode[] = []
  const pool = new pg.Pool({ connectionString: url, options: TELLING })
  pool.on('connect', (client) =>
    client.on('notice', ({ message = '' }) => {
      const json = /plan:\n([\s\S]*)$/.exec(message)?.[1]
      if (json) plans.push(JSON.parse(json).Plan)
    }),
  )
  try {
    await work(pool)
  } finally {
    await pool.end()
  }
  return plans.flatMap(scansIn)
}

function scansIn(node: PlanNode): Scan[] {
  const below = (node.Plans ?? []).flatMap(scansIn)
  const bitmap = node['Node Type'] === 'Bitmap Index Scan'
  const table = node['Relation Name']
  if (!node['Node Type'].endsWith('Scan') || (table === undefined && !bitmap)) return below
  const seen =
    node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0) + (node['Rows Removed by Index Recheck'] ?? 0)
  const scan = {
    how: node['Node Type'],
    table: table ?? '',
    index: node['Index Name'],
    rows: Math.ceil(seen * node['Actual Loops']),
  }
  return [scan, ...below]
}
