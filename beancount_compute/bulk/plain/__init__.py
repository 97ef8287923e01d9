"""The plain way: subscribers whose month needs no engine, through numpy, on integers."""
