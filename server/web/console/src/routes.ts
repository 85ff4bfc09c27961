// Every page of the console. A new area adds its routes here, its entries to
// menu.ts, and its pages with their words under pages/<area>/.

import type { RouteMeta, RouteRecordRaw } from 'vue-router'

/** What the console says of a page. (vue-router's own type of it is one for all apps.) */
export interface PageMeta {
  /** Key of the page's title. */
  word: string
  /** One of these scopes is needed; none = every person. */
  scopes?: readonly string[]
  /** Without the shell. */
  bare?: boolean
  /** Also for people who are not signed in. */
  open?: boolean
}

interface Page {
  path: string
  name: string
  component: () => Promise<unknown>
  meta: PageMeta
  /** Parts of the path become properties of the page. */
  props?: true
}

const pages: Page[] = [
  { path: '/login', name: 'login', component: () => import('./pages/login/LoginPage.vue'), meta: { word: 'login_title', bare: true, open: true } },
  { path: '/link', name: 'link', component: () => import('./pages/login/LinkPage.vue'), meta: { word: 'link_title', bare: true, open: true } },
  { path: '/password', name: 'password', component: () => import('./pages/login/PasswordPage.vue'), meta: { word: 'password_title', bare: true } },

  { path: '/', name: 'home', component: () => import('./pages/work/HomePage.vue'), meta: { word: 'menu_home' } },
  { path: '/work/:box(todo|done|started|cc|drafts)', name: 'box', component: () => import('./pages/work/BoxPage.vue'), meta: { word: 'menu_home' }, props: true },
  { path: '/services', name: 'services', component: () => import('./pages/start/ServicesPage.vue'), meta: { word: 'menu_start' } },
  { path: '/services/:flow', name: 'apply', component: () => import('./pages/start/ApplyPage.vue'), meta: { word: 'menu_start' }, props: true },
  { path: '/applications/:id', name: 'matter', component: () => import('./pages/matter/MatterPage.vue'), meta: { word: 'matter_title' }, props: true },
  { path: '/applications/:id/edit', name: 'edit', component: () => import('./pages/start/EditPage.vue'), meta: { word: 'edit_title' }, props: true },
  { path: '/notices', name: 'notices', component: () => import('./pages/published/NoticesPage.vue'), meta: { word: 'menu_notices' } },
  { path: '/messages', name: 'messages', component: () => import('./pages/me/MessagesPage.vue'), meta: { word: 'messages' } },
  { path: '/security/:tab(account|password|phone|mail|logins|sessions)?', name: 'security', component: () => import('./pages/me/SecurityPage.vue'), meta: { word: 'security' }, props: true },

  { path: '/flows', name: 'flows', component: () => import('./pages/flows/FlowsPage.vue'), meta: { word: 'menu_flows', scopes: ['flows:write'] } },
  { path: '/flows/new', name: 'flow-new', component: () => import('./pages/flows/FlowPage.vue'), meta: { word: 'menu_flows', scopes: ['flows:write'] } },
  { path: '/flows/:id', name: 'flow', component: () => import('./pages/flows/FlowPage.vue'), meta: { word: 'menu_flows', scopes: ['flows:write'] }, props: true },

  { path: '/overview', name: 'overview', component: () => import('./pages/overview/OverviewPage.vue'), meta: { word: 'menu_overview', scopes: ['admin'] } },
  { path: '/passes', name: 'passes', component: () => import('./pages/passes/PassesPage.vue'), meta: { word: 'menu_passes', scopes: ['passes:read'] } },
  { path: '/papers', name: 'papers', component: () => import('./pages/papers/PapersPage.vue'), meta: { word: 'menu_papers', scopes: ['desk'] } },
  { path: '/papers/new', name: 'paper-new', component: () => import('./pages/papers/IssuePage.vue'), meta: { word: 'menu_papers', scopes: ['desk'] } },
  { path: '/papers/:number', name: 'paper', component: () => import('./pages/papers/PaperPage.vue'), meta: { word: 'menu_papers', scopes: ['desk'] }, props: true },
  { path: '/households', name: 'households', component: () => import('./pages/people/HouseholdsPage.vue'), meta: { word: 'menu_households', scopes: ['people:read'] } },
  { path: '/households/:id', name: 'household', component: () => import('./pages/people/HouseholdPage.vue'), meta: { word: 'menu_households', scopes: ['people:read'] }, props: true },
  { path: '/people', name: 'people', component: () => import('./pages/people/PeoplePage.vue'), meta: { word: 'menu_people', scopes: ['people:read'] } },
  { path: '/people/person/:number', name: 'person', component: () => import('./pages/people/PersonPage.vue'), meta: { word: 'menu_people', scopes: ['people:read'] }, props: true },
  { path: '/people/units', name: 'units', component: () => import('./pages/people/UnitsPage.vue'), meta: { word: 'people_tab_units', scopes: ['people:read'] } },
  { path: '/people/places', name: 'places', component: () => import('./pages/people/PlacesPage.vue'), meta: { word: 'people_tab_places', scopes: ['people:read'] } },
  { path: '/people/imports', name: 'imports', component: () => import('./pages/people/ImportPage.vue'), meta: { word: 'people_tab_imports', scopes: ['people:write'] } },
  { path: '/gates', name: 'gates', component: () => import('./pages/gates/GatesPage.vue'), meta: { word: 'menu_gates', scopes: ['gates:read'] } },
  { path: '/gates/inside', name: 'inside', component: () => import('./pages/gates/InsidePage.vue'), meta: { word: 'gate_tab_inside', scopes: ['passes:read'] } },
  { path: '/gates/emergency', name: 'emergency', component: () => import('./pages/gates/EmergencyPage.vue'), meta: { word: 'gate_tab_emergency', scopes: ['gates:read'] } },
  { path: '/gates/releases', name: 'releases', component: () => import('./pages/gates/ReleasesPage.vue'), meta: { word: 'gate_tab_releases', scopes: ['agents:read'] } },
  { path: '/gates/:id', name: 'lane-policy', component: () => import('./pages/gates/PolicyPage.vue'), meta: { word: 'lane_policy', scopes: ['gates:read'] }, props: true },
  { path: '/events', name: 'events', component: () => import('./pages/events/LivePage.vue'), meta: { word: 'menu_events', scopes: ['events:read'] } },
  { path: '/events/search', name: 'events-search', component: () => import('./pages/events/SearchPage.vue'), meta: { word: 'menu_events', scopes: ['events:read'] } },
  { path: '/events/registers', name: 'events-registers', component: () => import('./pages/events/RegistersPage.vue'), meta: { word: 'menu_events', scopes: ['events:read'] } },
  { path: '/events/conflicts', name: 'events-conflicts', component: () => import('./pages/events/ConflictsPage.vue'), meta: { word: 'menu_events', scopes: ['events:read'] } },
  { path: '/events/quarantine', name: 'events-quarantine', component: () => import('./pages/events/QuarantinePage.vue'), meta: { word: 'menu_events', scopes: ['events:read'] } },
  { path: '/stats', name: 'stats', component: () => import('./pages/stats/RecordsPage.vue'), meta: { word: 'menu_stats' } },
  { path: '/stats/charts', name: 'stats-charts', component: () => import('./pages/stats/ChartsPage.vue'), meta: { word: 'menu_stats' } },
  { path: '/archive', name: 'archive', component: () => import('./pages/published/ArchivePage.vue'), meta: { word: 'menu_archive', scopes: ['stats'] } },
  { path: '/keys', name: 'keys', component: () => import('./pages/keys/KeysPage.vue'), meta: { word: 'menu_keys', scopes: ['keys:read'] } },
  { path: '/keys/tokens', name: 'tokens', component: () => import('./pages/keys/TokensPage.vue'), meta: { word: 'key_tab_tokens', scopes: ['tokens:write'] } },
  { path: '/audit', name: 'audit', component: () => import('./pages/audit/TrailPage.vue'), meta: { word: 'menu_audit', scopes: ['audit:read'] } },
  { path: '/settings', name: 'settings', component: () => import('./pages/settings/RulesPage.vue'), meta: { word: 'menu_settings', scopes: ['settings:write'] } },
  { path: '/settings/desks', name: 'settings-desks', component: () => import('./pages/settings/DesksPage.vue'), meta: { word: 'menu_settings', scopes: ['settings:write'] } },
  { path: '/settings/documents', name: 'settings-documents', component: () => import('./pages/settings/DocumentsPage.vue'), meta: { word: 'menu_settings', scopes: ['settings:write'] } },

  { path: '/cards', name: 'cards', component: () => import('./pages/cards/CardsPage.vue'), meta: { word: 'menu_cards', scopes: ['cards', 'finance'] } },
  { path: '/cards/:account(\\d+)', name: 'card', component: () => import('./pages/cards/CardPage.vue'), meta: { word: 'menu_cards', scopes: ['cards', 'finance'] }, props: true },
  { path: '/cards/:account(\\d+)/statement', name: 'card-statement', component: () => import('./pages/cards/StatementPage.vue'), meta: { word: 'card_statement', scopes: ['cards', 'finance'] }, props: true },
  { path: '/subsidies', name: 'subsidies', component: () => import('./pages/cards/SubsidiesPage.vue'), meta: { word: 'menu_subsidies', scopes: ['cards', 'finance'] } },
  { path: '/subsidies/new', name: 'subsidy-new', component: () => import('./pages/cards/SubsidyPage.vue'), meta: { word: 'subsidy_new', scopes: ['cards', 'finance'] } },
  { path: '/recharges', name: 'recharges', component: () => import('./pages/recharge/OrdersPage.vue'), meta: { word: 'menu_recharges', scopes: ['cards', 'finance'] } },
  { path: '/recharges/issues', name: 'recharge-issues', component: () => import('./pages/recharge/IssuesPage.vue'), meta: { word: 'recharge_tab_issues', scopes: ['cards', 'finance'] } },
  { path: '/recharges/bills', name: 'recharge-bills', component: () => import('./pages/recharge/BillsPage.vue'), meta: { word: 'recharge_tab_bills', scopes: ['cards', 'finance'] } },
  { path: '/cash', name: 'cash', component: () => import('./pages/cash/CashPage.vue'), meta: { word: 'menu_cash', scopes: ['cards'] } },
  { path: '/cash/shifts', name: 'cash-shifts', component: () => import('./pages/cash/ShiftsPage.vue'), meta: { word: 'cash_tab_shifts', scopes: ['cards', 'finance'] } },
  { path: '/turnover', name: 'turnover', component: () => import('./pages/canteen/TurnoverPage.vue'), meta: { word: 'menu_turnover', scopes: ['canteen', 'finance'] } },
  { path: '/tills', name: 'tills', component: () => import('./pages/canteen/TillsPage.vue'), meta: { word: 'menu_tills', scopes: ['canteen', 'finance'] } },
  { path: '/tills/new', name: 'till-new', component: () => import('./pages/canteen/TillPage.vue'), meta: { word: 'till_new', scopes: ['finance'] } },
  { path: '/tills/:id(\\d+)', name: 'till', component: () => import('./pages/canteen/TillPage.vue'), meta: { word: 'menu_tills', scopes: ['canteen', 'finance'] }, props: true },
  { path: '/tills/merchants', name: 'merchants', component: () => import('./pages/canteen/MerchantsPage.vue'), meta: { word: 'till_tab_merchants', scopes: ['canteen', 'finance'] } },
  { path: '/charges', name: 'charges', component: () => import('./pages/canteen/ChargesPage.vue'), meta: { word: 'menu_charges', scopes: ['canteen', 'finance'] } },
  { path: '/statements', name: 'statements', component: () => import('./pages/canteen/StatementPage.vue'), meta: { word: 'menu_statements', scopes: ['canteen', 'finance'] } },
  { path: '/days', name: 'days', component: () => import('./pages/finance/DaysPage.vue'), meta: { word: 'menu_days', scopes: ['finance'] } },
  { path: '/days/:day', name: 'day', component: () => import('./pages/finance/DayPage.vue'), meta: { word: 'menu_days', scopes: ['finance'] }, props: true },
  { path: '/disputes', name: 'disputes', component: () => import('./pages/finance/DisputesPage.vue'), meta: { word: 'menu_disputes', scopes: ['cards', 'finance'] } },
  { path: '/disputes/suspense', name: 'suspense', component: () => import('./pages/finance/SuspensePage.vue'), meta: { word: 'dispute_tab_suspense', scopes: ['cards', 'finance'] } },
  { path: '/disputes/debts', name: 'debts', component: () => import('./pages/finance/DebtsPage.vue'), meta: { word: 'dispute_tab_debts', scopes: ['cards', 'finance'] } },
  { path: '/ledger', name: 'ledger', component: () => import('./pages/finance/ProofPage.vue'), meta: { word: 'menu_ledger', scopes: ['finance'] } },

  { path: '/:lost(.*)*', name: 'lost', component: () => import('./pages/LostPage.vue'), meta: { word: 'lost' } },
]

export const routes = pages as unknown as RouteRecordRaw[]

/** What the console says of the page of a route; {} before the first one. */
export const metaOf = (route: { meta: RouteMeta }): Partial<PageMeta> => route.meta as Partial<PageMeta>
