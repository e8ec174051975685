@@
identifier skb;
@@
rnd_transmit(...)
{
<+...
- dev_kfree_skb_any(skb);
...+>
}
