@@
identifier skb, dev, vni, fdst, did_rsc;
@@
vxlan_xmit(struct sk_buff *skb, struct net_device *dev)
{
<+...
- vxlan_xmit_one(skb, dev, vni, fdst, did_rsc);
+ vxlan_xmit_one(skb_clone(skb, GFP_ATOMIC), dev, vni, fdst, did_rsc);
...+>
}
