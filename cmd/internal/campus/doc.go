// Package campus runs a whole campus on one machine: a server, gate agents and
// virtual scanners and relays, as real processes on real ttys, joined by a
// network that can be cut. The demo shows it; the tests of the whole line
// drive it, kill it and count what is left.
package campus
