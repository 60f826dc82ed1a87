import go from '@ast-grep/lang-go'
import java from '@ast-grep/lang-java'
import python from '@ast-grep/lang-python'
import { parse, registerDynamicLanguage, type SgNode } from '@ast-grep/napi'
import type { Language } from './rule.ts'

registerDynamicLanguage({ python, go, java })

const PARSERS: Record<Language, string> = {
  typescript: 'TypeScript',
  tsx: 'Tsx',
  javascript: 'JavaScript',
  python: 'python',
  go: 'go',
  java: 'java',
}

const EXTENSIONS: Record<string, Language> = {
  ts: 'typescript',
  mts: 'typescript',
  cts: 'typescript',
  tsx: 'tsx',
  js: 'javascript',
  mjs: 'javascript',
  cjs: 'javascript',
  jsx: 'javascript',
  py: 'python',
  pyi: 'python',
  go: 'go',
  java: 'java',
}

/** @returns undefined for a language that there are no rules for */
export function languageOf(path: string): Language | undefined {
  const extension = /\.([a-z]+)$/i.exec(path)?.[1]?.toLowerCase()
  return extension !== undefined && Object.hasOwn(EXTENSIONS, extension) ? EXTENSIONS[extension] : undefined
}

/** Parses anything: where the text is not of that language, the tree has ERROR nodes. */
export function parseAs(language: Language, text: string): SgNode {
  return parse(PARSERS[language], text).root()
}
