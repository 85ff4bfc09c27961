// The routes, below /m/. Each page is a part of the build of its own.

import { createRouter, createWebHistory, type RouteLocationNormalized, type RouteLocationRaw } from 'vue-router'
import type { Word } from './i18n'
import { session } from './state/session'

declare module 'vue-router' {
  interface RouteMeta {
    /** Wording of the title. */
    title?: Word
    /** Needs nobody signed in. */
    open?: boolean
    /** Shown from what is kept on the phone when the session is over. */
    kept?: boolean
    /** One of the four pages of the bar below. */
    tab?: boolean
  }
}

/** The form behind the poster's code (通行二维码申请码). */
export const residentFlow = 'cqu.resident_pass'

export const router = createRouter({
  history: createWebHistory('/m/'),
  routes: [
    { path: '/', redirect: '/passes' },
    { path: '/login', name: 'login', component: () => import('./pages/LoginPage.vue'), meta: { title: 'login', open: true } },
    { path: '/password', component: () => import('./pages/FirstPasswordPage.vue'), meta: { title: 'password_set' } },
    { path: '/passes', component: () => import('./pages/PassesPage.vue'), meta: { title: 'passes', kept: true, tab: true } },
    { path: '/passes/:id', component: () => import('./pages/PassPage.vue'), props: true, meta: { title: 'pass_one', kept: true } },
    { path: '/apply', component: () => import('./pages/ApplyPage.vue'), meta: { title: 'services', tab: true } },
    { path: '/apply/resident', redirect: (to) => ({ path: '/apply/' + residentFlow, query: to.query }) },
    { path: '/apply/:flow', component: () => import('./pages/FormPage.vue'), props: (r) => ({ flow: r.params.flow, id: r.query.id ?? '' }), meta: { title: 'apply_form' } },
    { path: '/applications', component: () => import('./pages/MattersPage.vue'), meta: { title: 'matters', tab: true } },
    { path: '/applications/:id', component: () => import('./pages/MatterPage.vue'), props: true, meta: { title: 'matter' } },
    { path: '/pay', component: () => import('./card/pages/PayPage.vue'), meta: { title: 'pay', kept: true } },
    { path: '/card', component: () => import('./card/pages/CardPage.vue'), meta: { title: 'card' } },
    { path: '/card/entries', component: () => import('./card/pages/EntriesPage.vue'), meta: { title: 'card_entries_long' } },
    { path: '/card/loss', component: () => import('./card/pages/LossPage.vue'), meta: { title: 'card_loss' } },
    { path: '/card/password', component: () => import('./card/pages/PasswordPage.vue'), meta: { title: 'card_password' } },
    { path: '/card/limits', component: () => import('./card/pages/LimitsPage.vue'), meta: { title: 'card_limits' } },
    { path: '/card/recharge', component: () => import('./card/pages/RechargePage.vue'), meta: { title: 'recharge' } },
    { path: '/card/recharge/:order', component: () => import('./card/pages/OrderPage.vue'), props: true, meta: { title: 'order' } },
    { path: '/card/recharges', component: () => import('./card/pages/OrdersPage.vue'), meta: { title: 'recharge_orders' } },
    { path: '/card/utilities/:kind(electricity|hot_water)', component: () => import('./card/pages/UtilityPage.vue'), props: true, meta: { title: 'card' } },
    { path: '/messages', component: () => import('./pages/MessagesPage.vue'), meta: { title: 'messages' } },
    { path: '/me', component: () => import('./pages/MePage.vue'), meta: { title: 'me', tab: true } },
    { path: '/me/security', component: () => import('./pages/SecurityPage.vue'), meta: { title: 'security' } },
    { path: '/me/logins', component: () => import('./pages/LoginsPage.vue'), meta: { title: 'logins' } },
    { path: '/me/sessions', component: () => import('./pages/SessionsPage.vue'), meta: { title: 'sessions' } },
    { path: '/:rest(.*)*', component: () => import('./pages/LostPage.vue'), meta: { title: 'lost_title', open: true } },
  ],
  scrollBehavior: (_to, _from, saved) => saved ?? { top: 0 },
})

/** The login page that leads back to where a person wanted to go. */
export function loginTo(wanted: RouteLocationNormalized): RouteLocationRaw {
  const home = wanted.path === '/' || wanted.path === '/passes'
  return { name: 'login', query: home ? {} : { to: wanted.fullPath } }
}

/** Where guards look at passes: a page beside this app. */
export const verifyPage = '/V/'

/** Where ?to= leads: only to a page of ours. */
export function wantedOf(to: unknown): string {
  if (to === verifyPage) return to
  if (typeof to !== 'string' || !/^\/(?![/\\])/.test(to)) return '/passes'
  const path = to.startsWith('/m/') ? to.slice(2) : to
  const found = router.resolve(path)
  return found.name === 'login' || found.matched.length === 0 ? '/passes' : path
}

/** Goes where somebody wanted to go who is signed in now. */
export async function goOn(wanted: string): Promise<void> {
  if (wanted === verifyPage) location.replace(wanted)
  else await router.replace(wanted)
}

router.beforeEach(async (to) => {
  await session.start()
  const me = session.me.value
  if (to.meta.open) {
    if (to.name !== 'login' || !me || session.expired.value) return true
    const wanted = wantedOf(to.query.to)
    return wanted === verifyPage || wanted // it sends here whom it does not let in
  }
  if (!me) return loginTo(to)
  if (session.expired.value && !to.meta.kept) return loginTo(to)
  if (me.must_change && to.path !== '/password') return '/password'
  return true
})

// A page of an earlier build whose files are gone: the new build has it.
router.onError((e: unknown, to) => {
  const text = String(e)
  if (/dynamically imported module|Importing a module script|preload CSS|module script failed/i.test(text) && navigator.onLine) {
    location.assign(router.resolve(to.fullPath).href)
  }
})
