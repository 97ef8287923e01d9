"""What pages ask of the books again and again, worked out once per load: quick, and exact.

    prepared = Prepared(books)
    narrow(prepared, Filter(accounts={"Liabilities:..."}))  ->  Books with those postings only

A page shows the whole books under ever other filters, and has a tenth of a second for it. So what
no page tells apart is added up beforehand; the reports then run on far fewer facts, and their
figures are the same to the last digit.
"""
