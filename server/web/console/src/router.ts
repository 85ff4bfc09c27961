import { ref, shallowRef } from 'vue'
import { createRouter, createWebHistory } from 'vue-router'
import { refusalOf, type Refusal } from '@shared/api'
import { takeKey } from './adminlink'
import { recall, remember } from './memory'
import { metaOf, routes } from './routes'
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
  if (metaOf(to).open) return true
  if (!me.value) {
    try {
      if (!(await whoAmI())) return { name: 'login', query: to.fullPath === '/' ? {} : { to: to.fullPath } }
    } catch (e) {
      blocked.value = refusalOf(e)
      return true
    }
  }
  if (me.value?.must_change && to.name !== 'password') return { name: 'password', query: { to: to.fullPath } }
  if (!may(me.value, metaOf(to).scopes)) blocked.value = 'denied'
  return true
})
router.afterEach(() => (travelling.value = false))
router.onError((e, to) => {
  travelling.value = false
  // Pages of an earlier version of the server are gone: begin with the new one, once.
  const before = Number(recall('renewed') ?? 0)
  if (/dynamically imported|module script|preload CSS/i.test(String(e)) && Date.now() - before > 60_000) {
    remember('renewed', String(Date.now()))
    location.assign('/console' + to.fullPath)
    return
  }
  blocked.value = refusalOf(e)
})
