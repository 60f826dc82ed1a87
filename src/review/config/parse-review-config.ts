import type * as v from 'valibot'
import { messageOf } from '../../lib/errors.ts'
import { type Glob, parseGlob } from '../glob.ts'
import { cut, printable, printableCode } from '../printable.ts'
import { safeText } from '../safe-text.ts'
import type { CustomRuleSchema } from './custom-rule.ts'
import { DEFAULT_SETTINGS, KEYS, MAX_GLOBS, type Settings } from './keys.ts'
import { readSetting } from './read-setting.ts'
import { readYaml } from './read-yaml.ts'
import { CONFIG_FILE, type CustomRule, defaultConfig, type ReviewConfig } from './review-config.ts'
import { unknownKey } from './unknown-key.ts'

/** In characters. The parser's time grows faster than the file: one of this size takes two seconds at worst. */
const MAX_CONFIG = 64 * 1024

/** Problems named in a review; a file that has more has been put there to annoy. */
const MAX_PROBLEMS = 20

/** Characters of all instructions together: each request to the model carries them. */
const MAX_INSTRUCTIONS = 8_000

/**
 * Reads a configuration file. What cannot be used is named and left at its default: a typo, or a file made
 * to do harm, must neither stop the review nor vanish. Never throws.
 */
export function parseReviewConfig(text: string): { config: ReviewConfig; problems: string[] } {
  const problems: string[] = []
  let config = defaultConfig
  try {
    if (text.length > MAX_CONFIG) problems.push(`too large: over ${MAX_CONFIG} characters`)
    else config = configOf(readSettings(text, problems), problems)
  } catch (error) {
    problems.push(`not read to its end: ${messageOf(error)}`)
  }
  const named = problems.slice(0, MAX_PROBLEMS).map((problem) => cut(printable(problem), 300))
  if (problems.length > MAX_PROBLEMS) named.push(`${problems.length - MAX_PROBLEMS} more problems`)
  return { config, problems: named }
}

function readSettings(text: string, problems: string[]): Settings {
  const yaml = readYaml(text)
  problems.push(...yaml.problems)
  const settings: Record<string, unknown> = {}
  for (const { name, value } of yaml.entries) {
    if (!Object.hasOwn(KEYS, name)) {
      problems.push(unknownKey('', name, Object.keys(KEYS)))
      continue
    }
    const key = name as keyof typeof KEYS
    try {
      const read = readSetting(KEYS[key], value(), name, DEFAULT_SETTINGS[key])
      problems.push(...read.problems)
      // A key that is there twice: only what can be used takes the place of what could.
      if (read.value !== undefined) settings[name] = read.value
    } catch (error) {
      problems.push(`\`${name}\`: ${messageOf(error)}; its default applies`)
    }
  }
  return settings
}

function configOf(settings: Settings, problems: string[]): ReviewConfig {
  const globs = (name: string, patterns: readonly string[] = []) => readGlobs(name, patterns, problems)
  const { version: _, ...all } = { ...DEFAULT_SETTINGS, ...settings }
  const { business_logic: businessLogic, ...options } = {
    ...DEFAULT_SETTINGS.reviewOptions,
    ...all.reviewOptions,
  }
  return {
    ...all,
    paths: globs('paths', all.paths),
    ignorePaths: globs('ignorePaths', all.ignorePaths),
    baseBranches: globs('baseBranches', all.baseBranches),
    reviewOptions: { ...defaultConfig.reviewOptions, ...options, businessLogic: businessLogic ?? true },
    suggestionControl: { ...defaultConfig.suggestionControl, ...all.suggestionControl },
    checks: { ...defaultConfig.checks, ...all.checks },
    customRules: customRulesOf(all.customRules, problems),
    instructions: instructionsOf(all.instructions, problems),
  }
}

function customRulesOf(
  entries: readonly v.InferOutput<typeof CustomRuleSchema>[],
  problems: string[],
): CustomRule[] {
  const rules: CustomRule[] = []
  for (const { id, language, severity = 'medium', what, why, advice = '', paths, rule } of entries) {
    const name = `customRules ${id}`
    if (rules.some((other) => other.id === id)) {
      problems.push(`\`${name}\` is there twice: the first one counts`)
      continue
    }
    const only = limitedTo(name, paths, problems)
    if (!only) continue
    rules.push({
      id,
      languages: [language].flat(),
      severity,
      what: safeText(what),
      why: safeText(why ?? `${CONFIG_FILE} of this repository has a rule against it.`),
      advice: safeText(advice),
      paths: only,
      rule,
    })
  }
  return rules
}

function instructionsOf(
  entries: Required<Settings>['instructions'],
  problems: string[],
): ReviewConfig['instructions'] {
  const instructions: { text: string; paths: readonly Glob[] }[] = []
  let characters = 0
  for (const [index, entry] of entries.entries()) {
    const { text, paths } = typeof entry === 'string' ? { text: entry, paths: undefined } : entry
    characters += text.length
    if (characters > MAX_INSTRUCTIONS) {
      problems.push(`\`instructions\`: more than ${MAX_INSTRUCTIONS} characters: those behind are not used`)
      break
    }
    const only = limitedTo(`instructions[${index}]`, paths, problems)
    if (only) instructions.push({ text: printableCode(text).trim(), paths: only })
  }
  return instructions
}

/** @returns undefined where it is meant for some paths, and none of them can be told: that is not for all */
function limitedTo(name: string, patterns: readonly string[] = [], problems: string[]): Glob[] | undefined {
  const globs = readGlobs(`${name}.paths`, patterns, problems)
  if (globs.length > 0 || patterns.length === 0) return globs
  problems.push(`\`${name}\` is not used: none of its paths can be`)
  return undefined
}

/** One bad pattern does not take the others with it. */
function readGlobs(name: string, patterns: readonly string[], problems: string[]): Glob[] {
  const globs: Glob[] = []
  for (const pattern of patterns) {
    try {
      globs.push(...parseGlob(pattern))
    } catch (error) {
      problems.push(`\`${name}\`: \`${cut(pattern, 60)}\` is not used: ${messageOf(error)}`)
    }
    if (globs.length > MAX_GLOBS) {
      problems.push(`\`${name}\`: more than ${MAX_GLOBS} patterns: those behind are not used`)
      return globs.slice(0, MAX_GLOBS)
    }
  }
  return globs
}
