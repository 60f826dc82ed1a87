import { RetentionDays } from 'aws-cdk-lib/aws-logs'

/** Long enough to look back at a month's incident in production; nobody's forever. */
export const LOG_RETENTION = {
  staging: RetentionDays.TWO_WEEKS,
  production: RetentionDays.THREE_MONTHS,
} as const
