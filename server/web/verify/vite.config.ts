import { app } from '../vite.base.ts'

export default app('verify', '/V/')
