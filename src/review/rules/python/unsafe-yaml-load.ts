import type { Rule } from '../rule.ts'

const UNSAFE = ['Loader', 'UnsafeLoader', 'CLoader'].flatMap((name) => [`yaml.${name}`, name])

export const unsafeYamlLoad: Rule = {
  id: 'python/unsafe-yaml-load',
  languages: ['python'],
  severity: 'high',
  what: 'This loader makes Python objects of whatever class the document names.',
  why: 'A document with `!!python/object/apply:os.system` runs that command. (Without a Loader, PyYAML before 6 does this and 6 refuses.)',
  advice: 'Use `yaml.safe_load(…)`.',
  match: {
    rule: {
      any: [
        { pattern: 'yaml.load($_DOCUMENT)' },
        { pattern: 'yaml.unsafe_load($_DOCUMENT)' },
        ...UNSAFE.flatMap((loader) => [
          { pattern: `yaml.load($_DOCUMENT, ${loader})` },
          { pattern: `yaml.load($_DOCUMENT, Loader=${loader})` },
        ]),
      ],
    },
  },
  // ruamel.yaml is used through an object that is often called `yaml` too, and is safe.
  fileHas: {
    rule: { kind: 'import_statement', has: { kind: 'dotted_name', regex: '^yaml$' } },
  },
  notInTests: true,
  examples: {
    bad: [
      'import yaml\nsettings = yaml.load(document)\n',
      'import os, yaml\nsettings = yaml.load(document)\n',
      'import yaml\nsettings = yaml.load(document, Loader=yaml.Loader)\n',
    ],
    good: [
      'import yaml\nsettings = yaml.safe_load(document)\n',
      'import yaml\nsettings = yaml.load(document, Loader=yaml.SafeLoader)\n',
      'from ruamel.yaml import YAML\nyaml = YAML()\nsettings = yaml.load(document)\n',
    ],
  },
}
