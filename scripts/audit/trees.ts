import type { Tree } from './obtain.ts'

/**
 * Packages whose earlier and later version are development dependencies, called `audit-NAME-a` and `-b`: what a
 * review of that change would have said. None has an install script; all ship what their authors wrote.
 */
export const PAIRS: readonly string[] = [
  'amqplib',
  'commander',
  'fs-extra',
  'node-forge',
  'nodemailer',
  'semver',
  'uglify-js',
  'undici',
  'ws',
]

/** Packages that are read whole: libraries and applications that many use, by many authors, of many ages. */
export const TREES: readonly Tree[] = [
  {
    registry: 'npm',
    name: '@node-red/nodes',
    version: '4.0.0',
    sha512: 'VVqDQzhTFLkPysaNk/Ob5e3QpJu/bhxBbTyLAuXdwLip1vH54D+/1VsiPrOhxtw6j5AovXCOz+xJffDkacD5Zw==',
  },
  {
    registry: 'npm',
    name: 'fastify',
    version: '5.2.0',
    sha512: '3s+Qt5S14Eq5dCpnE0FxTp3z4xKChI83ZnMv+k0FwX+VUoZrgCFoLAxpfdi/vT4y6Mk+g7aAMt9pgXDoZmkefQ==',
  },
  {
    registry: 'npm',
    name: 'jsdom',
    version: '25.0.0',
    sha512: 'OhoFVT59T7aEq75TVw9xxEfkXgacpqAhQaYgP9y/fDqWQCMB/b1H66RfmPm/MaeaAIU9nDwMOVTlPN51+ao6CQ==',
  },
  {
    registry: 'npm',
    name: 'karma',
    version: '6.4.4',
    sha512: 'LrtUxbdvt1gOpo3gxG+VAJlJAEMhbWlM4YrFQgql98FwF7+K8K12LYO4hnDdUkNjeztYrOXEMqgTajSWgmtI/w==',
  },
  {
    registry: 'npm',
    name: 'knex',
    version: '3.1.0',
    sha512: 'GLoII6hR0c4ti243gMs5/1Rb3B+AjwMOfjYm97pu0FOQa7JH56hgBxYf5WK2525ceSbBY1cjeZ9yk99GPMB6Kw==',
  },
  {
    registry: 'npm',
    name: 'matrix-js-sdk',
    version: '34.0.0',
    sha512: 'gCOb+fsp2fziE13k64e4IF/FxVKXkSooQF96742CtKsPATqOEoVugnbdTqYiqgiy7skqJxg4Ggh1LsYkf2gykQ==',
    below: 'src',
  },
  {
    registry: 'npm',
    name: 'pm2',
    version: '5.4.0',
    sha512: '9TrDuckcSEnINoURygr3yfruK20qXuOUPOPQyIh4FIskQduyDNst9ys1XAt9YPY3RyGxVr2+x8Irsdma3klVQw==',
  },
  {
    registry: 'pypi',
    name: 'ansible-core',
    version: '2.16.3',
    sha512: 'rhqv3CQrQUl5YXPKEoE4sVPQ92dhG27LbQ5tgSw/uOjifxekVnF9LGLLdMHstRdaQD9WUyr8vApMu0XtqtcviQ==',
  },
  {
    registry: 'pypi',
    name: 'bottle',
    version: '0.12.25',
    sha512: 'vijn53GWhMk7b/7WHZW0OMZhqou3K8clgPLFdWMP/Hb6yYkWDYW1Yy40UA5hdnNXPz/TF3DPZhSiuwe6GZsI3g==',
  },
  {
    registry: 'pypi',
    name: 'buildbot',
    version: '3.11.0',
    sha512: 'OGIaJy8UgH4LvjzF9LGXl1IYuVrjmxUspbKiRQqbnjqdtJi+CKc7t3Nsy645OSxFMvhWDcUmgK5xxWorIPL+pw==',
  },
  {
    registry: 'pypi',
    name: 'celery',
    version: '5.3.6',
    sha512: 'Z4nAABohnVTxPenC/q+gP4G/TkUwPCmdMqLfkKipQfGp4tYMYFPEKZPVMGXtva7Ra1S1u8Qtbu9SAK5V1rIsFA==',
  },
  {
    registry: 'pypi',
    name: 'Django',
    version: '5.0',
    sha512: 'Jcq+z+klxzCFDzWZUbLBABBdpvD/AfTyW/N4X2nmitEyha1AxwGdl0xfApqDDrftE1LP66fPDnBK3BtyjkXh0w==',
  },
  {
    registry: 'pypi',
    name: 'Flask-Admin',
    version: '1.6.1',
    sha512: 'gUyR5OnvyhICvXDIsjJxvE8aLeSmN0DY4IFNcDqM7Ox7cK7noe2rdDZlqhzBHih/ewXMsgamW+Thv01c8yy/ew==',
  },
  {
    registry: 'pypi',
    name: 'gunicorn',
    version: '21.2.0',
    sha512: 'jahU1effxPX0/4ystulo8uueGNtd+avj0b5YGcSHbFEvVW0nReuUrU3IhgUXe4+zEikNsqiqWwsrb/5noEhazw==',
  },
  {
    registry: 'pypi',
    name: 'requests',
    version: '2.31.0',
    sha512: 't5Wrsmui8E8a/PsZbyH2OAFLJsgYb49IjxwtkejgIgli+9JZ28nDh1Ii60f8lcc/wGBqqmYCuevFJICcm6NQHw==',
  },
  {
    registry: 'pypi',
    name: 'Scrapy',
    version: '2.11.0',
    sha512: 'wHakGSxeunofTmbCaM996bRymGi8LuA3nvPgLeOkUROAGlI2t8eD3Nzck17oT24p0Z/OJ9peYSPB5o26dvML5g==',
  },
  {
    registry: 'pypi',
    name: 'SQLAlchemy',
    version: '2.0.30',
    sha512: 'nfhs03ZtwaFNxytx6cY44brlC4a1KrG0BAarjrOcanDAiqpd6RXsTYI3s5cpHi/FTPan42kKRMF8USliM+iJEw==',
  },
  {
    registry: 'go',
    name: 'github.com/astaxie/beego',
    version: 'v1.12.0',
    sha512: 'b2afGlxm2yuVM8coQSQn0ZKBx3rrO2223XQq69wE0rJGObx2GXSxDxaNwHGuRjKpxtp12quxeYDDqn6AJc/g+g==',
  },
  {
    registry: 'go',
    name: 'github.com/caddyserver/caddy/v2',
    version: 'v2.7.0',
    sha512: 'DEoyAJCJcdGO6MK30tTEn81mVFiuoAD5ovS79UB0OuI0lJ+WPypXfIjLE2DMcWpIXcV9U/97kWvctrzAMX1Z4A==',
  },
  {
    registry: 'go',
    name: 'github.com/containers/podman/v4',
    version: 'v4.9.0',
    sha512: 'mXZ6jCFGxe38gZZIXYJD2dlQt9SY7hPmYKb3IXfjkbdVIVOneRBjq6NGGozinKaPKR7P974t9tMANt+s1AabfA==',
  },
  {
    registry: 'go',
    name: 'github.com/docker/cli',
    version: 'v20.10.0+incompatible',
    sha512: 'f6uJtgOjLei2AFdoGVwKIhMuKirucxsbPR7Bh1HqsKx1PdciDt38P0lhEtN+2f/ewEu2VvfDJa22kB8ZiFT2Vg==',
  },
  {
    registry: 'go',
    name: 'github.com/docker/docker',
    version: 'v20.10.0+incompatible',
    sha512: '8hmqo7enPYjmnt5e5mbwzL7MOSxPoNZvhyaUjDtmPZFd2hFimmNryNgvp+iVi8/S3qAoxVyI5JfeDi9TjB6v9w==',
  },
  {
    registry: 'go',
    name: 'github.com/gin-gonic/gin',
    version: 'v1.9.0',
    sha512: '5dekeZVhLwpsmAknZ4p099O74ORYG8WC+s8fGV0POqERjoZujYE6BBziUb3juIFXYoLeRlYiBr4p9vAksauGLQ==',
  },
  {
    registry: 'go',
    name: 'github.com/go-sql-driver/mysql',
    version: 'v1.7.0',
    sha512: 'EZTavwax0ju/EQrK03rltnGMq3oBVEXTLw43lJB5SALwiiWqaGR7yUIVxGA+ymAztmNfvwc89MWooGP9aAW96g==',
  },
  {
    registry: 'go',
    name: 'github.com/gorilla/websocket',
    version: 'v1.5.0',
    sha512: 'tazHt1jTOgHUCHHbmH8+H9zGrhvBbs0VPPgTSh41rAxT0X6nFmiNLVVOna0dsORhTIlU0O+SdRxCB5jsWLeGwg==',
  },
  {
    registry: 'go',
    name: 'github.com/grafana/grafana',
    version: 'v6.1.6+incompatible',
    sha512: 't4DCm0nOhIKDtJZPIk2oVJbYbM3R74btwP6PlX+Od/RUBUkcTD4nT3Tzpiyc8CpzdcmrWiHHIVCrjJ7eMnungA==',
  },
  {
    registry: 'go',
    name: 'github.com/projectdiscovery/nuclei/v2',
    version: 'v2.9.0',
    sha512: 'cy/fQ0hJoCM5+INgliWXQrsOcjJVILu3E/DSuUyvxY/wiujkaRZw4+fRMMDJkxP0b41XKzeRvRbBHnDC9pVnTg==',
  },
  {
    registry: 'go',
    name: 'github.com/syncthing/syncthing',
    version: 'v1.20.0',
    sha512: 'C4lKxGcNCm23DNWZJBT+NMCVD/zCx6Aw50PST1Tccm3FdcomXhMf91o+oQzIrpUH9Yr5kC6SYiXgyWhfhq4V1g==',
  },
  {
    registry: 'go',
    name: 'github.com/traefik/traefik/v2',
    version: 'v2.10.0',
    sha512: 'tJU7Wr8HwuOs7lXsea6RJ5eCJbThoC1Q8gbLT4gK5Ih/gE1+SyBev1lUInCwGcu42C0Zxw9E0Q8olVHKKbd5zw==',
  },
  {
    registry: 'maven',
    name: 'cn.hutool:hutool-all',
    version: '5.8.25',
    sha512: 'FoLa+hjz8521EX8pnVntz99ZXnSDXKhEqwZIGdpmXsEh/GMR1iFACd/b8cEvfK+Rcl3zhYPUrcRrUNdz5FK50A==',
  },
  {
    registry: 'maven',
    name: 'com.mchange:c3p0',
    version: '0.9.5.5',
    sha512: 'tnEYPhilXVfHZTETs0IpJ64C/3zOdClpXqjEfx/u2uyC5eGfk7SqIV57dm6Ld5IAMvcBO4xasqIMCwEUI0XPrg==',
  },
  {
    registry: 'maven',
    name: 'com.xuxueli:xxl-job-core',
    version: '2.4.0',
    sha512: 'U9Bm7YfLYXfedluopuftdqWE4iurSVJYj0fnflL6zNtaCfgfX2lVd9EvjJot4XXpQzFG/pprUEw1BJX5VJnkJw==',
  },
  {
    registry: 'maven',
    name: 'commons-io:commons-io',
    version: '2.15.1',
    sha512: 'PuTiLeij4E/4ZRhztZaiO9UXFS8+3j0Urx5ba1Lrh482CirGckU89n77lI/qTpaQGfkCPdfR0bBk+xZMwXFUog==',
  },
  {
    registry: 'maven',
    name: 'io.minio:minio',
    version: '8.5.7',
    sha512: 'KSKgKbdrK2CVepUgTz41xRulHKCXVorxfmF+l9+Z6D8mw9fbO6q1AJ1ZKhVCQT4KNx/G0HdnkXAT6Rj8F5wV7Q==',
  },
  {
    registry: 'maven',
    name: 'log4j:log4j',
    version: '1.2.17',
    sha512: 'LBmuO6b1+WTO/VCF59hLUd55fZRx/V7pzBW2YdlkxYJv4IgmbLEObBU8Ac4yuXznQ7xjI0f0UxLHOh1d+vD9Rg==',
  },
  {
    registry: 'maven',
    name: 'org.apache.activemq:activemq-broker',
    version: '5.18.3',
    sha512: 'wuq6zhp6Ar8iDNiDBy/MP83BXKFx7SXyjmuk5hZbvX8rsLcEa2/I9fxrFeoO6XRjDOHU9JcB0Q/wN/4981tXCg==',
  },
  {
    registry: 'maven',
    name: 'org.apache.hadoop:hadoop-common',
    version: '3.3.6',
    sha512: 'T1foht5mG4t/KlC8B1j0xIfuwTDBn/1sGYJ/eo51cvVR4imxsWsIx1YzaWo1r7gPBaFnJy8UaXUhh6HeEBVVPQ==',
  },
  {
    registry: 'maven',
    name: 'org.apache.struts:struts2-core',
    version: '6.3.0',
    sha512: 'hTDczmmFN0Ik4doHmk18jxR0t1jyGVOvcEgZ1NfvFKrI6Au8RBo/gnIGbqe2PjhQCfOxDrtsUcTZjWmVYEaLng==',
  },
  {
    registry: 'maven',
    name: 'org.apache.zookeeper:zookeeper',
    version: '3.9.1',
    sha512: 'r57lVdRHtQ0hhU/x2waVkjp4Ictlb+Xx91Wcjn+D8WLZxJFCDjQgo34q2y5C0lwmb2EGTu/0nAZzICNP37vBoQ==',
  },
  {
    registry: 'maven',
    name: 'org.keycloak:keycloak-services',
    version: '23.0.6',
    sha512: 'y8SH8+I8y2aoNMQWlDGAWNmCWu/T+f6n9HqslwHA+yZiHK9QMo6unYTRXS8jd51HS/oKF/q/zZAqbCNYunAZWg==',
  },
  {
    registry: 'maven',
    name: 'org.quartz-scheduler:quartz',
    version: '2.3.2',
    sha512: 'oRRJqrwhwIczKxL8B2QpEBZMv6R4ytt7KV+I/r7TWdEd1M72QixeOLjsq5ecktaEBPewc6iUZW4hCBZ6WjzBsA==',
  },
]
