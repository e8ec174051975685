@@
identifier skb, skb2;
@@
bond_xmit_broadcast(struct sk_buff *skb, ...)
{
<+...
- skb2 = skb;
+ skb2 = skb_clone(skb, GFP_ATOMIC);
...+>
}
