import * as v from 'valibot'
import { type Document, isMap, isNode, isScalar, parseDocument, visit } from 'yaml'
import { messageOf } from '../lib/errors.ts'
import { type Glob, parseGlob } from './glob.ts'
import { cut, printable } from './printable.ts'
import { SEVERITIES } from './review.ts'

export const CONFIG_FILE = 'kodus-config.yml'

/** In characters. The parser's time grows faster than the file: one of this size takes two seconds at worst. */
const MAX_CONFIG = 64 * 1024

/** Patterns of paths, each alternative in braces counted. */
const MAX_GLOBS = 200

/** Problems named in a review; a file that has more has been put there to annoy. */
const MAX_PROBLEMS = 20

/** What a repository says about its own reviews, in `kodus-config.yml` on the base branch. */
export interface ReviewConfig {
  /** Paths that are not reviewed. */
  ignorePaths: readonly Glob[]
  suggestionControl: {
    /** Findings below this severity are not shown. */
    severityLevelFilter: (typeof SEVERITIES)[number]
  }
}

export const defaultConfig: ReviewConfig = {
  ignorePaths: [],
  suggestionControl: { severityLevelFilter: 'low' },
}

const Keys = {
  version: v.union([v.string(), v.number()]),
  ignorePaths: v.array(v.string()),
  suggestionControl: v.object({ severityLevelFilter: v.optional(v.picklist(SEVERITIES), 'low') }),
}

/**
 * Reads a configuration file. What cannot be used is named and left at its default: a typo, or a file made
 * to do harm, must neither stop the review nor vanish. Never throws.
 */
export function parseReviewConfig(text: string): { config: ReviewConfig; problems: string[] } {
  const config = { ...defaultConfig }
  let problems: string[]
  try {
    problems =
      text.length > MAX_CONFIG ? [`too large: over ${MAX_CONFIG} characters`] : readMapping(text, config)
  } catch (error) {
    problems = [`not read to its end: ${messageOf(error)}`]
  }
  const named = problems.slice(0, MAX_PROBLEMS).map((problem) => cut(printable(problem), 300))
  if (problems.length > MAX_PROBLEMS) named.push(`${problems.length - MAX_PROBLEMS} more problems`)
  return { config, problems: named }
}

function readMapping(text: string, config: ReviewConfig): string[] {
  const document = parseDocument(text, { logLevel: 'error', uniqueKeys: false })
  const [error] = document.errors
  if (error) return [`not valid YAML: ${error.message.split('\n')[0]}`]
  const { contents } = document
  if (contents === null || (isScalar(contents) && contents.value === null)) return []
  if (!isMap(contents)) return ['not a mapping of keys to values']
  const problems = repeatedKeys(document)
  for (const { key, value } of contents.items) {
    const name = isScalar(key) ? String(key.value) : '(not a name)'
    if (!Object.hasOwn(Keys, name)) {
      problems.push(`unknown key \`${cut(name, 100)}\``)
      continue
    }
    try {
      problems.push(...readKey(name as keyof typeof Keys, plainValue(value, document), config))
    } catch (error) {
      problems.push(`\`${name}\`: ${messageOf(error)}`)
    }
  }
  return problems
}

/** The parser's own check compares each key with all before it: seconds for a file of nothing but keys. */
function repeatedKeys(document: Document): string[] {
  const problems: string[] = []
  visit(document, {
    Map(_, { items }) {
      const seen = new Set<unknown>()
      for (const { key } of items) {
        const name = isScalar(key) ? key.value : key
        if (seen.has(name)) problems.push(`\`${cut(String(name), 100)}\` is there twice: the last one counts`)
        seen.add(name)
      }
    },
  })
  return problems
}

/** @throws ReferenceError for an alias of nothing, or more of them than anybody needs */
function plainValue(node: unknown, document: Document): unknown {
  // maxAliasCount bounds what a few bytes of anchors can grow to.
  return isNode(node) ? node.toJS(document, { maxAliasCount: 100 }) : null
}

function readKey(name: keyof typeof Keys, value: unknown, config: ReviewConfig): string[] {
  const problem = (issue: v.BaseIssue<unknown>) =>
    `\`${[name, v.getDotPath(issue)].filter(Boolean).join('.')}\`: ${issue.message}`
  const options = { abortEarly: true } as const
  if (name === 'ignorePaths') {
    const paths = v.safeParse(Keys.ignorePaths, value, options)
    if (!paths.success) return [problem(paths.issues[0])]
    const { globs, problems } = readGlobs(paths.output)
    config.ignorePaths = globs
    return problems.map((each) => `\`ignorePaths\`: ${each}`)
  }
  if (name === 'suggestionControl') {
    const control = v.safeParse(Keys.suggestionControl, value, options)
    if (!control.success) return [problem(control.issues[0])]
    config.suggestionControl = control.output
    const unknown = Object.keys(Object(value)).filter((key) => !Object.hasOwn(control.output, key))
    return unknown.map((key) => `unknown key \`suggestionControl.${cut(key, 100)}\``)
  }
  const version = v.safeParse(Keys.version, value, options)
  return version.success ? [] : [problem(version.issues[0])]
}

/** One bad pattern does not take the others with it. */
function readGlobs(patterns: readonly string[]): { globs: Glob[]; problems: string[] } {
  const globs: Glob[] = []
  const problems: string[] = []
  for (const pattern of patterns) {
    try {
      globs.push(...parseGlob(pattern))
    } catch (error) {
      problems.push(`\`${cut(pattern, 60)}\` is not used: ${messageOf(error)}`)
    }
    if (globs.length > MAX_GLOBS) {
      problems.push(`more than ${MAX_GLOBS} patterns: those behind are not used`)
      return { globs: globs.slice(0, MAX_GLOBS), problems }
    }
  }
  return { globs, problems }
}
