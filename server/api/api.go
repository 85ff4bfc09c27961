package api

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"github.com/prometheus/client_golang/prometheus"

	"campusgate/server/alert"
	"campusgate/server/apply"
	"campusgate/server/auth"
	"campusgate/server/auth/sso"
	"campusgate/server/backup"
	"campusgate/server/call"
	"campusgate/server/canteen"
	"campusgate/server/cards"
	"campusgate/server/charges"
	"campusgate/server/hub"
	"campusgate/server/issue"
	"campusgate/server/ledger"
	"campusgate/server/notify"
	"campusgate/server/owners"
	"campusgate/server/paper"
	"campusgate/server/people"
	"campusgate/server/recharge"
	"campusgate/server/recharge/cash"
	"campusgate/server/recharge/trial"
	"campusgate/server/retention"
	"campusgate/server/rollout"
	rulebook "campusgate/server/rules"
	"campusgate/server/settle"
	"campusgate/server/store"
	"campusgate/server/utility"
	"campusgate/server/verify"
)

// Hub is what the API needs of the agents' connections; *hub.Hub is one.
type Hub interface {
	// States gives the state of every agent seen since the start.
	States() map[uint32]hub.State
	// Drop ends an agent's connection with a goodbye.
	Drop(agent uint32, code, message string) bool
	owners.Hub
}

// Deps are the parts that the API puts to work. All are required but Audit and
// those that say so.
type Deps struct {
	Store     *store.Store
	Issue     *issue.Service
	Auth      *auth.Auth
	Accounts  *auth.Accounts
	People    *people.Service
	Apply     *apply.Service
	Notify    *notify.Service
	Papers    *paper.Service
	Verify    *verify.Service
	Rules     *rulebook.Service
	Recharge  *recharge.Service
	Cash      *cash.Desk
	Utility   *utility.Service
	Cards     *cards.Service
	Settle    *settle.Service
	Ledger    *ledger.Ledger
	Canteen   *canteen.Service
	Charges   *charges.Service
	Calls     *call.Service
	Backup    *backup.Service
	Alert     *alert.Service
	Retention *retention.Service
	Releases  *rollout.Service
	Hub       Hub
	Audit     prometheus.Collector // its figures go to /metrics
	Now       func() time.Time
	Rand      io.Reader
	Log       *slog.Logger // never sees a name, a code or a token
	Version   string
	Location  *time.Location

	Site   string         // name of the campus
	Public string         // scheme and host under which people find the pages
	Demo   bool           // codes are shown instead of sent
	SSO    *sso.Desk      // nil = no sign-on services
	Trial  *trial.Channel // nil = no test payments
}

// API serves. Safe for concurrent use.
type API struct {
	Deps
	huma    huma.API
	mux     *mux
	handler http.Handler
	origin  *http.CrossOriginProtection
	enrols  *limiter
	guesses *limiter // of codes, passwords and links
	codes   *limiter // that were sent
	counts  counts
}

// New makes the handler of /api/, /healthz, /readyz and /metrics.
func New(d Deps) (*API, error) {
	if d.Store == nil || d.Issue == nil || d.Auth == nil || d.Accounts == nil || d.People == nil || d.Apply == nil || d.Notify == nil ||
		d.Recharge == nil || d.Cash == nil || d.Utility == nil || d.Papers == nil || d.Verify == nil || d.Rules == nil || d.Cards == nil ||
		d.Settle == nil || d.Ledger == nil || d.Canteen == nil || d.Charges == nil || d.Calls == nil || d.Backup == nil || d.Alert == nil || d.Retention == nil || d.Releases == nil || d.Hub == nil ||
		d.Now == nil || d.Rand == nil || d.Log == nil || d.Location == nil {
		return nil, fmt.Errorf("api: a part is missing")
	}
	ownErrors()
	a := &API{
		Deps: d, mux: &mux{ServeMux: http.NewServeMux()}, origin: http.NewCrossOriginProtection(),
		enrols: &limiter{burst: 10, refill: 6 * time.Second, now: d.Now},
		// A whole campus may be behind one address.
		guesses: &limiter{burst: 30, refill: 10 * time.Second, now: d.Now},
		codes:   &limiter{burst: 30, refill: 10 * time.Second, now: d.Now},
	}
	if d.Public != "" { // a proxy may have changed the Host that Origin is held against
		if err := a.origin.AddTrustedOrigin(d.Public); err != nil {
			return nil, fmt.Errorf("api: %w", err)
		}
	}
	a.huma = humago.New(a.mux, huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info: &huma.Info{
				Title: "Campusgate", Version: d.Version,
				Description: "校园通行:签发通行码、管理校门与门岗程序、查阅通行记录。" +
					" Campus gates: issue passes, manage gates and their agents, read what happened. " +
					"Times named ..._at are unix milliseconds.",
			},
			Components: &huma.Components{
				Schemas: huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer),
				SecuritySchemes: map[string]*huma.SecurityScheme{
					bearer:  {Type: "http", Scheme: "bearer", Description: "API token; the roles listed at an operation are the scopes it needs"},
					session: {Type: "apiKey", In: "cookie", Name: auth.Cookie, Description: "session of a person who signed in; the roles listed are the scopes that their posts give"},
				},
			},
		},
		Formats:                      map[string]huma.Format{jsonType: strictJSON},
		DefaultFormat:                jsonType,
		RejectUnknownQueryParameters: true,
	})
	a.huma.UseMiddleware(a.authorize)
	a.passRoutes()
	a.phoneRoutes()
	a.gateRoutes()
	a.laneRoutes()
	a.agentRoutes()
	a.outageRoutes()
	a.eventRoutes()
	a.keyRoutes()
	a.tokenRoutes()
	a.loginRoutes()
	a.ssoRoutes()
	a.meRoutes()
	a.passwordRoutes()
	a.serviceRoutes()
	a.applicationRoutes()
	a.attachmentRoutes()
	a.myPassRoutes()
	a.flowRoutes()
	a.settingsRoutes()
	a.messageRoutes()
	a.paperRoutes()
	a.paperPrintRoutes()
	a.searchRoutes()
	a.verifyRoutes()
	a.peopleRoutes()
	a.unitRoutes()
	a.placeRoutes()
	a.householdRoutes()
	a.postRoutes()
	a.importRoutes()
	a.ruleRoutes()
	a.reportRoutes()
	a.settleRoutes()
	a.rechargeRoutes()
	a.rechargeOfficeRoutes()
	a.cashRoutes()
	a.utilityRoutes()
	a.cardRoutes()
	a.canteenRoutes()
	a.chargeRoutes()
	a.callRoutes()
	a.keepingRoutes()
	a.releaseRoutes()
	a.systemRoutes()
	if err := a.checkDocument(); err != nil {
		return nil, err
	}
	a.handler = a.around(a.mux)
	return a, nil
}

func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) { a.handler.ServeHTTP(w, r) }

// OpenAPI is the document of what is served.
func (a *API) OpenAPI() *huma.OpenAPI { return a.huma.OpenAPI() }

// Patterns lists what is served, as net/http patterns.
func (a *API) Patterns() []string { return a.mux.patterns }
