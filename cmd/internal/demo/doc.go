// Package demo is the page of make demo: a phone with its code, both guard
// pages, a till and the switch that cuts the network, side by side. Its buttons write
// codes into the scanners' ttys; nothing is decided here.
package demo
