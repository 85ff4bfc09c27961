import { app } from '../vite.base.ts'

export default app('console', '/console/')
