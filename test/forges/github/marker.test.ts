import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { createMarkers } from '../../../src/forges/github/marker.ts'

const key = Buffer.alloc(32, 1)
const place = { repository: 'octo/shop', pullRequest: '7' }
const markers = createMarkers(key, place)

describe('a marker', () => {
  test('is read back with its fields, whatever is in them', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'grapheme', minLength: 1 }), { minLength: 1 }), (fields) => {
        const marker = markers.write('answer', ...fields)
        assert.deepEqual(markers.read('answer', `${marker}\ntext`), fields)
      }),
    )
  })

  test('cannot be ended by what is in it', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (field) => {
        const marker = markers.write('answer', `-->${field}--!>`)
        assert.equal(marker.indexOf('>'), marker.length - 1)
        assert.ok(!marker.includes('\n'))
      }),
    )
  })

  test('counts only at the beginning of a body', () => {
    const marker = markers.write('finding', 'f1')
    assert.deepEqual(markers.read('finding', marker), ['f1'])
    assert.deepEqual(markers.read('finding', `${marker}\r\ntext`), ['f1'])
    assert.equal(markers.read('finding', `quoted: ${marker}`), undefined)
    assert.equal(markers.read('finding', `text\n${marker}\n`), undefined)
    assert.equal(markers.read('finding', null), undefined)
  })

  test('counts for one kind, one repository, one pull request and one key', () => {
    const marker = markers.write('finding', 'f1')
    const elsewhere = [
      createMarkers(key, { ...place, repository: 'octo/other' }),
      createMarkers(key, { ...place, pullRequest: '8' }),
      createMarkers(Buffer.alloc(32, 2), place),
    ]
    for (const other of elsewhere) assert.equal(other.read('finding', marker), undefined)
    assert.equal(markers.read('answer', marker), undefined)
    assert.equal(markers.read('answer', marker.replace('finding', 'answer')), undefined)
    const differentCase = createMarkers(key, { ...place, repository: 'Octo/Shop' })
    assert.deepEqual(differentCase.read('finding', marker), ['f1'], 'to GitHub it is the same repository')
  })

  test('does not survive a change of its fields or of its code', () => {
    const marker = markers.write('finding', 'f1')
    assert.equal(markers.read('finding', marker.replace('f1', 'f2')), undefined)
    const [, mac = ''] = /:([\w-]{22}) -->$/.exec(marker) ?? []
    const forged = mac.startsWith('A') ? `B${mac.slice(1)}` : `A${mac.slice(1)}`
    assert.equal(markers.read('finding', marker.replace(mac, forged)), undefined)
  })
})
