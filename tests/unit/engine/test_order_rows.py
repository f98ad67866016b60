from cashup.engine import order_rows
from cashup.kernel import types as k


def test_rows_have_the_columns_of_the_tables():
    assert order_rows.OrderRow._fields == k.ORDER.names
    assert order_rows.FillRow._fields == k.FILL.names
    assert order_rows.PaymentRow._fields == k.PAYMENT.names
