/** Numbers from 0 to below 1, the same ones for the same seed on every machine: a 32-bit xorshift. */
export function randomFrom(seed: number): () => number {
  // Its one bad state is 0. Small seeds are spread, since the first numbers would be small as well.
  let state = Math.imul(seed + 1, 0x9e3779b1) | 0 || 1
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) / 2 ** 32
  }
}
