package wire

import "encoding/binary"

// authLabel keeps a signature made for the link from meaning anything else.
const authLabel = "campusgate link auth v1\x00"

// AuthBytes is what an agent signs to connect: the label, then each field with
// its length or in a fixed width, so that no two sets of fields give the same
// bytes. The exporter is TLS keying material (ExporterLabel), empty on loopback
// without TLS. All integers are big-endian.
//
//	label ‖ u16 len ‖ site ‖ u32 agent ‖ u32 epoch ‖ u16 len ‖ nonce ‖ u16 len ‖ exporter
func AuthBytes(site string, agent, epoch uint32, nonce, exporter []byte) []byte {
	b := make([]byte, 0, len(authLabel)+14+len(site)+len(nonce)+len(exporter))
	b = append(b, authLabel...)
	b = appendField(b, []byte(site))
	b = binary.BigEndian.AppendUint32(b, agent)
	b = binary.BigEndian.AppendUint32(b, epoch)
	b = appendField(b, nonce)
	return appendField(b, exporter)
}

// appendField appends a field behind its length. Site, nonce and exporter are
// far below the 65,535 bytes that the length can say.
func appendField(b, field []byte) []byte {
	b = binary.BigEndian.AppendUint16(b, uint16(len(field)))
	return append(b, field...)
}
