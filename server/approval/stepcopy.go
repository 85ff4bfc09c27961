package approval

import "slices"

// clone copies an instance so deep that no change to one shows in the other.
func (in Instance) clone() Instance {
	in.Form = cloneMap(in.Form)
	in.Tasks = slices.Clone(in.Tasks)
	for i := range in.Tasks {
		t := &in.Tasks[i]
		t.Seats, t.Candidates, t.Former = slices.Clone(t.Seats), slices.Clone(t.Candidates), slices.Clone(t.Former)
		t.Values = cloneMap(t.Values)
	}
	in.Trail = slices.Clone(in.Trail)
	for i := range in.Trail {
		e := &in.Trail[i]
		e.To, e.Attachments = slices.Clone(e.To), slices.Clone(e.Attachments)
	}
	in.Copies, in.Comments, in.Ratings = slices.Clone(in.Copies), slices.Clone(in.Comments), slices.Clone(in.Ratings)
	if in.Picked != nil {
		picked := make(map[string]string, len(in.Picked))
		for k, v := range in.Picked {
			picked[k] = v
		}
		in.Picked = picked
	}
	in.Records = slices.Clone(in.Records)
	for i := range in.Records {
		in.Records[i].Values = cloneMap(in.Records[i].Values)
	}
	return in
}

func cloneMap(m map[string]any) map[string]any {
	if m == nil {
		return nil
	}
	c := make(map[string]any, len(m))
	for k, v := range m {
		c[k] = cloneValue(v)
	}
	return c
}

// cloneValue copies what a form may hold.
func cloneValue(v any) any {
	switch v := v.(type) {
	case []any:
		c := make([]any, len(v))
		for i, item := range v {
			c[i] = cloneValue(item)
		}
		return c
	case []string:
		return slices.Clone(v)
	case map[string]any:
		return cloneMap(v)
	}
	return v
}
