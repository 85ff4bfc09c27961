import { ref, shallowRef } from 'vue'
import { createRouter, createWebHistory } from 'vue-router'
import { refusalOf, type Refusal } from '@shared/api'
import { takeKey } from './adminlink'
import { routes } from './routes'
import { may, me, whoAmI } from './session'

export const router = createRouter({
  history: createWebHistory('/console/'),
  routes,
  scrollBehavior: (to, from, saved) => saved ?? (to.path === from.path ? {} : { top: 0 }),
})

/** Why the page could not be opened: the server did not answer, or a scope is missing. */
export const blocked = shallowRef<Refusal | 'denied' | null>(null)

/** The page that is being fetched. */
export const travelling = ref(false)

router.beforeEach(async (to) => {
  travelling.value = true
  blocked.value = null
  if (takeKey.waiting() && to.name !== 'link') return { name: 'link' }
  if (to.meta.open) return true
  if (!me.value) {
    try {
      if (!(await whoAmI())) return { name: 'login', query: to.fullPath === '/' ? {} : { to: to.fullPath } }
    } catch (e) {
      blocked.value = refusalOf(e)
      return true
    }
  }
  if (me.value?.must_change && to.name !== 'password') return { name: 'password', query: { to: to.fullPath } }
  if (!may(me.value, to.meta.scopes)) blocked.value = 'denied'
  return true
})
router.afterEach(() => (travelling.value = false))
router.onError((e) => {
  travelling.value = false
  blocked.value = refusalOf(e)
})

/** A place of this app that somebody asked to go to after signing in; anything else is the first page. */
export function placeAfter(to: unknown): string {
  return typeof to === 'string' && /^\/(?![/\\])/.test(to) && !/^\/(login|link|password)\b/.test(to) ? to : '/'
}
