// What the server's HTTP interface says, under /api/v1. Times ending in _at, and
// `at`, are unix ms; days are "2026-05-01"; money is whole fen.

export * from './base'
export * from './matters'
export * from './passes'
export * from './console'
