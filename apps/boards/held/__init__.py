"""Who held it: the time of records, requests and cases, split by who had them."""
