"""A drill's report: the page, the text, the charts, the JSON form, and those of past drills."""
