import type { Rule } from '../rule.ts'

export const naiveUtcTimestamp: Rule = {
  id: 'python/naive-utc-timestamp',
  languages: ['python'],
  severity: 'high',
  what: 'utcnow() has no time zone, and timestamp() takes it for local time.',
  why: 'The result is off by the UTC offset of the machine: right on a server set to UTC, hours wrong on any other and in tests.',
  advice: 'Use `datetime.now(timezone.utc).timestamp()`, or `time.time()`.',
  match: {
    rule: {
      any: [
        { pattern: 'datetime.utcnow().timestamp()' },
        { pattern: 'datetime.datetime.utcnow().timestamp()' },
        { pattern: 'datetime.utcfromtimestamp($$$).timestamp()' },
        { pattern: 'datetime.datetime.utcfromtimestamp($$$).timestamp()' },
      ],
    },
  },
  examples: {
    bad: [
      'expires = datetime.utcnow().timestamp() + 3600\n',
      'import datetime\nissued = int(datetime.datetime.utcnow().timestamp())\n',
    ],
    good: ['expires = datetime.now(timezone.utc).timestamp() + 3600\n', 'created = datetime.utcnow()\n'],
  },
}
