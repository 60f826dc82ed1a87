/** What a price was taken from, and how far it may be relied on. Prices change: look yours up before you decide by them. */
export interface Price {
  /** US dollars for one unit. */
  readonly value: number
  readonly unit: string
  readonly region: string
  readonly source: string
  /** When it was written down, as YYYY-MM. */
  readonly date: string
  /** `secondary`: read in a source that quotes AWS. `unconfirmed`: that, and in one source only. `derived`: from another line here. */
  readonly confidence: 'secondary' | 'unconfirmed' | 'derived'
}

/** What AWS counts as a month. */
export const HOURS_A_MONTH = 730

const DATE = '2026-11'

function price(
  value: number,
  unit: string,
  source: string,
  confidence: Price['confidence'] = 'secondary',
): Price {
  return { value, unit, region: 'us-east-1', source, date: DATE, confidence }
}

const quoted = (what: string) => `on-demand list price of ${what}, as secondary sources quote it`

export const PRICES = {
  fargateX86Cpu: price(0.04048, 'vCPU-hour', quoted('Fargate, Linux x86')),
  fargateX86Memory: price(0.004445, 'GB-hour', quoted('Fargate, Linux x86')),
  fargateArmCpu: price(0.03238, 'vCPU-hour', quoted('Fargate, Linux ARM')),
  fargateArmMemory: price(0.00356, 'GB-hour', quoted('Fargate, Linux ARM')),
  fargateSpotShare: price(
    0.3,
    'of the x86 price, at best',
    'AWS says "up to 70 % off"; it changes with what is free, so the other end of the range is no discount',
  ),
  t3Xlarge: price(0.1664, 'hour', quoted('EC2 t3.xlarge, Linux')),
  t3Surplus: price(0.05, 'vCPU-hour', quoted('T3 unlimited: processor time above the baseline')),
  gp3: price(0.08, 'GB-month', quoted('EBS gp3')),
  loadBalancer: price(0.0225, 'hour', quoted('Application Load Balancer')),
  lcu: price(0.008, 'LCU-hour', quoted('Application Load Balancer capacity units')),
  natHour: price(0.045, 'hour', quoted('NAT gateway')),
  natGb: price(0.045, 'GB', quoted('NAT gateway, processed data')),
  address: price(0.005, 'hour', quoted('public IPv4 address')),
  logIngest: price(0.5, 'GB', quoted('CloudWatch Logs, ingestion')),
  logStorage: price(0.03, 'GB-month', quoted('CloudWatch Logs, storage')),
  alarm: price(0.1, 'alarm-month', quoted('CloudWatch alarm, standard resolution')),
  metric: price(0.3, 'metric-month', quoted('CloudWatch custom metric')),
  secret: price(0.4, 'secret-month', quoted('Secrets Manager')),
  ecr: price(0.1, 'GB-month', quoted('ECR storage')),
  mqM7gMedium: price(0.1367, 'broker-hour', 'half of mq.m7g.large: the size halves', 'derived'),
  mqM7gLarge: price(0.2734, 'broker-hour', quoted('Amazon MQ for RabbitMQ, mq.m7g.large'), 'unconfirmed'),
  rdsT4gSmall: price(0.032, 'hour', quoted('RDS for PostgreSQL db.t4g.small, one zone'), 'unconfirmed'),
  rdsT4gMedium: price(0.064, 'hour', 'twice db.t4g.small: the size doubles', 'derived'),
  rdsT4gLarge: price(0.128, 'hour', 'four times db.t4g.small: the size doubles twice', 'derived'),
  rdsT4gXlarge: price(0.256, 'hour', 'eight times db.t4g.small: the size doubles three times', 'derived'),
  rdsStorage: price(
    0.115,
    'GB-month',
    'what RDS gp3 storage in one zone is commonly said to cost; dearer than EBS, and not looked up',
    'unconfirmed',
  ),
} as const satisfies Record<string, Price>

export type PriceName = keyof typeof PRICES
