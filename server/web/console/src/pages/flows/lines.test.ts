import { expect, it } from 'vitest'
import { lineOf } from './lines'

it('a flow is found in its file, in each way of writing it', () => {
  const yaml = 'schema: flow/v1\nflows:\n  - id: cqu.work_pass\n    name: a\n  - {id: zz.car, name: b}\n  -\n    id: zz.seal\n'
  expect(['cqu.work_pass', 'zz.car', 'zz.seal', 'zz.none', ''].map((id) => lineOf(yaml, id))).toEqual([3, 5, 7, 1, 1])
})
