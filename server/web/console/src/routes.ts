// Every page of the console. A new area adds its routes here, its entries to
// menu.ts, and its pages with their words under pages/<area>/.

import type { RouteRecordRaw } from 'vue-router'

declare module 'vue-router' {
  interface RouteMeta {
    /** Key of the page's title. */
    word?: string
    /** One of these scopes is needed; none = every person. */
    scopes?: readonly string[]
    /** Without the shell. */
    bare?: boolean
    /** Also for people who are not signed in. */
    open?: boolean
  }
}

export const routes: RouteRecordRaw[] = [
  { path: '/login', name: 'login', component: () => import('./pages/login/LoginPage.vue'), meta: { word: 'login_title', bare: true, open: true } },
  { path: '/link', name: 'link', component: () => import('./pages/login/LinkPage.vue'), meta: { word: 'link_title', bare: true, open: true } },
  { path: '/password', name: 'password', component: () => import('./pages/login/PasswordPage.vue'), meta: { word: 'password_title', bare: true } },

  { path: '/', name: 'home', component: () => import('./pages/work/HomePage.vue'), meta: { word: 'menu_home' } },
  { path: '/work/:box(todo|done|started|cc|drafts)', name: 'box', component: () => import('./pages/work/BoxPage.vue'), meta: { word: 'menu_home' }, props: true },
  { path: '/services', name: 'services', component: () => import('./pages/start/ServicesPage.vue'), meta: { word: 'menu_start' } },
  { path: '/services/:flow', name: 'apply', component: () => import('./pages/start/ApplyPage.vue'), meta: { word: 'menu_start' }, props: true },
  { path: '/applications/:id', name: 'matter', component: () => import('./pages/matter/MatterPage.vue'), meta: { word: 'matter_title' }, props: true },
  { path: '/applications/:id/edit', name: 'edit', component: () => import('./pages/start/EditPage.vue'), meta: { word: 'edit_title' }, props: true },
  { path: '/messages', name: 'messages', component: () => import('./pages/me/MessagesPage.vue'), meta: { word: 'messages' } },
  { path: '/security/:tab(account|password|phone|mail|logins|sessions)?', name: 'security', component: () => import('./pages/me/SecurityPage.vue'), meta: { word: 'security' }, props: true },

  { path: '/flows', name: 'flows', component: () => import('./pages/flows/FlowsPage.vue'), meta: { word: 'menu_flows', scopes: ['flows:write'] } },
  { path: '/flows/new', name: 'flow-new', component: () => import('./pages/flows/FlowPage.vue'), meta: { word: 'menu_flows', scopes: ['flows:write'] } },
  { path: '/flows/:id', name: 'flow', component: () => import('./pages/flows/FlowPage.vue'), meta: { word: 'menu_flows', scopes: ['flows:write'] }, props: true },

  { path: '/:lost(.*)*', name: 'lost', component: () => import('./pages/LostPage.vue'), meta: { word: 'lost' } },
]
