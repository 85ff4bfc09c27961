package modbus

// Find looks for the answer to a question in what came from a line.
var Find = find
