package server

import "net/http"

// Handler is everything that the server answers.
func (srv *Server) Handler() http.Handler { return srv.http.Handler }

// NewHTTP is what Run serves with.
var NewHTTP = newHTTP
