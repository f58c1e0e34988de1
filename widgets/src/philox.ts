// NumPy's random numbers, Philox4x64-10 (Salmon, Moraes, Dror and Shaw, 2011): the same seed draws the same words in Python and here.

const HIGH = 64n;
const LOW = (1n << HIGH) - 1n;
const ROUNDS = 10;

/** Four words of 64 bits: the counter, mixed with the key. */
function block(counter: bigint, key: bigint): bigint[] {
  let [a, b, c, d] = [counter, 0n, 0n, 0n];
  let [first, second] = [key, 0n];
  for (let round = 0; round < ROUNDS; round++) {
    const left = a * 0xd2e7470ee14c6c93n;
    const right = c * 0xca5a826395121157n;
    [a, b, c, d] = [(right >> HIGH) ^ b ^ first, right & LOW, (left >> HIGH) ^ d ^ second, left & LOW];
    first = (first + 0x9e3779b97f4a7c15n) & LOW;
    second = (second + 0xbb67ae8584caa73bn) & LOW;
  }
  return [a, b, c, d];
}

/** `np.random.Generator(np.random.Philox(key=seed)).random(count)`. NumPy counts from 1, and takes 53 bits of each word. */
export const random = (seed: number, count: number): number[] =>
  Array.from({ length: Math.ceil(count / 4) }, (_, i) => block(BigInt(i + 1), BigInt(seed)))
    .flat()
    .slice(0, count)
    .map((word) => Number(word >> 11n) * 2 ** -53);
