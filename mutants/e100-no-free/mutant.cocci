@@
identifier nic, cb;
@@
e100_tx_clean(struct nic *nic)
{
<+...
- dev_kfree_skb_any(cb->skb);
...+>
}
